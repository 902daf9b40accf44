import "./dom.ts";
import { test } from "node:test";
import assert from "node:assert/strict";
import { Follower } from "../../src/thread/follower.ts";

/** A box of 100 px over content of some height, that scrolls as a browser does. */
function box(height: number, smooth = false) {
  const left: boolean[] = [];
  const element = Object.assign(document.createElement("div"), {
    scrollTo({ top, behavior }: ScrollToOptions) {
      if (behavior === "instant") element.scrollTop = top!;
      else if (smooth) element.goal = top!;
    },
    goal: 0,
  });
  const set = (h: number) => Object.defineProperties(element, { scrollHeight: { value: h, configurable: true }, clientHeight: { value: 100, configurable: true } });
  set(height);
  const follower = new Follower(element, document.createElement("div"), (atEnd) => left.push(!atEnd));
  const grow = (h: number) => {
    set(h);
    follower.grew();
  };
  const scroll = (top: number, event = "scroll") => {
    element.scrollTop = top;
    element.dispatchEvent(new Event(event));
  };
  return { element, follower, left, grow, scroll };
}

test("the end is followed while the reader is within 64 px of it", () => {
  const { element, grow, scroll, left } = box(300);
  grow(400);
  assert.equal(element.scrollTop, 300);
  scroll(240);
  grow(500);
  assert.equal(element.scrollTop, 400);
  scroll(300);
  grow(600);
  assert.equal(element.scrollTop, 300);
  assert.deepEqual(left, [true]);
  scroll(450);
  grow(700);
  assert.equal(element.scrollTop, 600);
  assert.deepEqual(left, [true, false]);
});

test("a reader who scrolls in the frame in which text comes is not pulled back", () => {
  const { element, grow } = box(300);
  grow(400);
  element.scrollTop = 100; // its event is still to come
  grow(500);
  assert.equal(element.scrollTop, 100);
});

test("the way to the end is not interrupted by text, but by the reader", () => {
  const { element, follower, grow, scroll, left } = box(900, true);
  follower.toEnd(true);
  assert.equal(element.goal, 800);
  scroll(200);
  grow(1000);
  assert.equal(element.goal, 900, "it goes on to the new end");
  assert.deepEqual(left, []);
  element.dispatchEvent(new Event("wheel"));
  scroll(250);
  grow(1100);
  assert.equal(element.goal, 900);
  assert.deepEqual(left, [true]);
});
