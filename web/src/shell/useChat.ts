import { useEffect, useState } from "preact/hooks";
import type { Chat, State } from "../core/types.ts";

/** The chat's State, now and whenever it changes. */
export function useChat(chat: Chat): State {
  const [state, setState] = useState(chat.state);
  useEffect(() => {
    setState(chat.state); // what came between the first drawing and now
    return chat.subscribe(setState);
  }, [chat]);
  return state;
}
