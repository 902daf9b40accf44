import { Component, h, type ComponentChild, type FunctionComponent } from "preact";

/** A component that is rendered again only when one of its props is another value; arrays
 * are compared by what they hold. State is shared structurally, so that is the rule for
 * everything in the log. */
export function memo<P extends object>(Inner: FunctionComponent<P>): new (props: P) => Component<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const now = this.props as Record<string, unknown>;
      const keys = Object.keys(next);
      return keys.length !== Object.keys(now).length || keys.some((key) => !same(now[key], (next as Record<string, unknown>)[key]));
    }
    override render(): ComponentChild {
      return h(Inner, this.props as P & { key?: never });
    }
  };
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => value === b[i]);
}
