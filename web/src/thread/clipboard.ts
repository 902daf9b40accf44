/** Puts text on the clipboard, and says whether it is there. A page without the permission,
 * or without https, still has the old way. */
export async function copy(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.className = "unseen";
    field.value = text;
    near.append(field);
    field.select();
    const done = document.execCommand?.("copy") ?? false;
    field.remove();
    near.focus();
    return done;
  }
}
