import first from "../strings/en.json";
import later from "../strings/later/en.json";

/** The English catalogue, with what is loaded later. */
export const en = { ...first, ...later };
