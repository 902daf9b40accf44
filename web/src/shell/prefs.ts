// What a visitor has chosen on this device, for every chat of this origin. Off until chosen.

export interface Prefs {
  /** Two soft tones for a message of the company. */
  sound: boolean;
  /** The system's notifications for the same. */
  notify: boolean;
  /** Screen readers get answers when they are complete, not sentence by sentence. */
  whole: boolean;
}

const place = "answerable:prefs";
const nothing: Prefs = { sound: false, notify: false, whole: false };

export function readPrefs(): Prefs {
  try {
    const kept = JSON.parse(localStorage.getItem(place) ?? "{}") as Partial<Prefs>;
    return { sound: kept.sound === true, notify: kept.notify === true, whole: kept.whole === true };
  } catch {
    return nothing; // no storage here, or not ours
  }
}

export function keepPrefs(prefs: Prefs): void {
  try {
    localStorage.setItem(place, JSON.stringify(prefs));
  } catch {
    // chosen for this visit only
  }
}
