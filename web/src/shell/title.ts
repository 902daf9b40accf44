/** Keeps the number of unread messages in the document's title, for whoever looks at
 * another tab. A title that somebody else sets meanwhile is the one to count from. */
export function titleCounter(): (n: number) => void {
  let own = "";
  let counted = "";
  return (n) => {
    if (!counted && n === 0) return;
    if (!counted || document.title !== counted) own = document.title;
    counted = n > 0 ? `(${n}) ${own}` : "";
    const wanted = counted || own;
    if (document.title !== wanted) document.title = wanted;
  };
}
