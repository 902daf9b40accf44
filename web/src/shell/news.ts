// How a message of the company reaches somebody who is not looking at it: by sound and by
// the system's notifications, each only after it was asked for.

let audio: AudioContext | undefined;

/** Two soft tones, a fourth apart. Browsers allow them once the visitor has touched the
 * page; before that nothing is heard. */
export function chime(): void {
  try {
    audio ??= new AudioContext();
    void audio.resume();
    const start = audio.currentTime + 0.02;
    tone(audio, 587.33, start);
    tone(audio, 783.99, start + 0.14);
  } catch {
    // no sound on this device
  }
}

function tone(audio: AudioContext, frequency: number, at: number): void {
  const source = new OscillatorNode(audio, { type: "sine", frequency });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.08, at + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
  source.connect(volume).connect(audio.destination);
  source.start(at);
  source.stop(at + 0.55);
}

export const canNotify = (): boolean => typeof Notification !== "undefined" && window.isSecureContext;

/** Asks the visitor, if that was not done yet. */
export async function mayNotify(): Promise<boolean> {
  return canNotify() && (await Notification.requestPermission()) === "granted";
}

/** Shows one notification in place of the one before; a press on it comes back here. */
export function notify(title: string, body: string, show: () => void): void {
  if (!canNotify() || Notification.permission !== "granted") return;
  try {
    const it = new Notification(title, { body: body.slice(0, 200), tag: "answerable" });
    it.onclick = () => {
      window.focus();
      show();
      it.close();
    };
  } catch {
    // phones show them through a service worker only, which a widget does not have
  }
}
