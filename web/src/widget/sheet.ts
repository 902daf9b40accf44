/** Gives root a style sheet without an element, so that a style-src of 'self' or of nothing
 * does not matter to it. A rem is the usual 16 px there, whatever the host page says. */
export function addStyle(root: ShadowRoot, css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css.replace(/([\d.]+)rem/g, (_, n) => `${n * 16}px`));
  root.adoptedStyleSheets.push(sheet);
}
