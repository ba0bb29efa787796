import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

type Stored = { readonly stream: string; readonly message: JSONRPCMessage; readonly bytes: number };

export type EventLimits = { readonly events: number; readonly bytes: number };

/**
 * What one session may resume from: its own last events, bounded in number and size; the oldest go first.
 * One store per session, so no event id leads into another session.
 */
export function boundedEventStore({ events: mostEvents, bytes: mostBytes }: EventLimits): EventStore {
  const kept = new Map<string, Stored>();
  let bytes = 0;
  let last = 0;

  function forgetOldest(): void {
    for (const [id, event] of kept) {
      if (kept.size <= mostEvents && bytes <= mostBytes) return;
      kept.delete(id);
      bytes -= event.bytes;
    }
  }

  return {
    async storeEvent(stream, message) {
      last += 1;
      const id = `${stream}_${last}`;
      const size = JSON.stringify(message).length;
      kept.set(id, { stream, message, bytes: size });
      bytes += size;
      forgetOldest();
      return id;
    },
    async getStreamIdForEventId(id) {
      return kept.get(id)?.stream;
    },
    async replayEventsAfter(lastId, { send }) {
      const from = kept.get(lastId);
      if (!from) return '';
      let seen = false;
      // What is stored while this sends may push out the oldest, so it walks over a copy.
      const snapshot = Array.from(kept);
      for (const [id, event] of snapshot) {
        // An empty message only carried an event id (a priming event); there is nothing to repeat.
        if (seen && event.stream === from.stream && 'jsonrpc' in event.message) await send(id, event.message);
        seen ||= id === lastId;
      }
      return from.stream;
    },
  };
}
