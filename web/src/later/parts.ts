// The second script. Nothing but later.ts may import this, or it would be in the first.

export { transcript } from "../core/transcript.ts";
export { uploads } from "../core/uploads.ts";
export { EndDialog } from "../shell/EndDialog.tsx";
export { History } from "../shell/History.tsx";
export { MenuList } from "../shell/MenuList.tsx";
export { chime, notify } from "../shell/news.ts";
export { AgentMessage } from "../thread/AgentMessage.tsx";
export { Card } from "../thread/Card.tsx";
export { Choices } from "../thread/Choices.tsx";
export { Consent } from "../thread/Consent.tsx";
export { Csat } from "../thread/Csat.tsx";
export { Drop } from "../thread/Drop.tsx";
export { Ended } from "../thread/Ended.tsx";
export { Feedback } from "../thread/Feedback.tsx";
export { FileBubble } from "../thread/FileBubble.tsx";
export { sortOut } from "../thread/files.ts";
export { Form } from "../thread/Form.tsx";
export { Queue, Typing } from "../thread/Queue.tsx";
export { Uploads } from "../thread/Uploads.tsx";

import { byLanguage } from "../core/i18n.ts";
import shell from "../shell/later.css?inline";
import history from "../shell/history.css?inline";
import thread from "../thread/later.css?inline";

/** Addresses of the rare words, by language. */
export const words = byLanguage(import.meta.glob<string>("./*.json", { base: "../../strings/later/", query: "?url", import: "default", eager: true }));

export const style = shell + history + thread;
