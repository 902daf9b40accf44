// All chats of a page count in its one title: each for itself would take the other's count
// for the page's own words.
let total = 0;
let own = "";
let counted = "";

/** Keeps the number of unread messages in the document's title, for whoever looks at
 * another tab. A title that somebody else sets meanwhile is the one to count from. */
export function titleCounter(): (n: number) => void {
  let mine = 0;
  return (n) => {
    total += n - mine;
    mine = n;
    if (!counted && total === 0) return;
    if (!counted || document.title !== counted) own = document.title;
    counted = total > 0 ? `(${total}) ${own}` : "";
    const wanted = counted || own;
    if (document.title !== wanted) document.title = wanted;
  };
}
