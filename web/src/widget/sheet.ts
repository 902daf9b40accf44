/** Gives root a style sheet without an element, so that a style-src of 'self' or of nothing
 * does not matter to it. In the widget a rem is the usual 16 px, whatever the host page says. */
export function addStyle(root: DocumentOrShadowRoot, css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(root === document ? css : css.replace(/([\d.]+)rem/g, (_, n) => `${n * 16}px`));
  root.adoptedStyleSheets.push(sheet);
}
