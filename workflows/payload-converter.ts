import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/** What stands for a payload that cannot be read. It is no plan and no ballot, so it is refused like any other. */
export const UNREADABLE = { unreadable: true } as const;

/**
 * Temporal's own converter, but for one thing: it never throws on what it is given. A signal with a broken payload
 * would otherwise fail every workflow task of its run, and one bad message would hold up an approval for ever.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: (payload) => {
    try {
      return defaultPayloadConverter.fromPayload(payload);
    } catch {
      // The cast: the caller names the type it hopes for, and checks the shape of whatever it gets.
      return UNREADABLE as never;
    }
  },
};
