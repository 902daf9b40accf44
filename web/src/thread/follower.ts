/** Within this distance of the end, a reader is taken to be at it. */
const near = 64; // px

/** Keeps the end of a log in view while the reader is there, and leaves them alone when
 * they are not. */
export class Follower {
  atEnd = true;
  private gliding = false; // on the way to the end: in between is not "away from it"
  private target = 0;
  private top = 0; // where it scrolled to, as far as is known
  private watch: ResizeObserver;

  constructor(
    private box: HTMLElement,
    content: HTMLElement,
    private changed: (atEnd: boolean) => void,
  ) {
    this.watch = new ResizeObserver(() => this.grew());
    this.watch.observe(box);
    this.watch.observe(content);
    box.addEventListener("scroll", this.scrolled, { passive: true });
    box.addEventListener("scrollend", this.arrived);
    for (const type of ["wheel", "touchmove", "pointerdown"]) box.addEventListener(type, this.taken, { passive: true });
  }

  /** The content or the box may have another size. */
  grew(): void {
    // The reader may have scrolled in this very frame, and the event is still to come.
    if (!this.gliding && this.box.scrollTop < this.top - 1) this.scrolled();
    if (this.atEnd) this.toEnd(this.gliding);
  }

  toEnd(smoothly: boolean): void {
    this.move(true);
    const { box } = this;
    const end = box.scrollHeight - box.clientHeight;
    if (end - box.scrollTop < 1 || (this.gliding && smoothly && end === this.target)) return;
    this.target = end;
    this.gliding = smoothly && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.top = this.gliding ? 0 : end;
    box.scrollTo({ top: end, behavior: this.gliding ? "smooth" : "instant" });
  }

  destroy(): void {
    this.watch.disconnect();
    this.box.removeEventListener("scroll", this.scrolled);
    this.box.removeEventListener("scrollend", this.arrived);
    for (const type of ["wheel", "touchmove", "pointerdown"]) this.box.removeEventListener(type, this.taken);
  }

  private scrolled = (): void => {
    if (this.gliding) return;
    const { scrollHeight, clientHeight, scrollTop } = this.box;
    this.top = scrollTop;
    this.move(scrollHeight - clientHeight - scrollTop <= near);
  };

  private arrived = (): void => {
    this.gliding = false;
    this.scrolled();
  };

  /** The reader scrolls on their own. */
  private taken = (): void => {
    this.gliding = false;
  };

  private move(atEnd: boolean): void {
    if (atEnd === this.atEnd) return;
    this.atEnd = atEnd;
    this.changed(atEnd);
  }
}
