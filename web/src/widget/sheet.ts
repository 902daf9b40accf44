/** Gives root a style sheet without an element, so that a style-src of 'self' or of nothing
 * does not matter to it. */
export function addStyle(root: ShadowRoot, css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets.push(sheet);
}
