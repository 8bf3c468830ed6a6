// Order of what comes in: every record of a conversation once, and in the order of its seq. Knows no socket and no page.

/**
 * Inbox lets each record of a conversation through once and in order.
 *
 * A record names the seq before it that was due to this device (prevSeq). So it may pass when that one has passed; what
 * lies between the two was never meant to come. A record whose predecessor is missing is held back, up to `hold` of them
 * in each conversation; beyond that it is forgotten, which is harmless: nobody acknowledged it, so it comes again.
 *
 * Passing and being shown are two things: `given` says what this page was handed, `shown` what it really put before
 * somebody's eyes. Only the latter may be acknowledged, and only the latter outlives the page.
 */
export class Inbox {
  #rooms = new Map();
  #hold;

  /** @param {{marks?: Object<string, number>, hold?: number}} [options] marks: what earlier pages have shown */
  constructor({ marks = {}, hold = 128 } = {}) {
    this.#hold = hold;
    for (const [id, seq] of Object.entries(marks)) {
      this.#rooms.set(id, { given: seq, shown: seq, held: new Map() });
    }
  }

  /**
   * Takes a record off the wire.
   * @returns {{ready: object[], repeat: boolean, gap: {conversationId: string, after: number, before: number}|null}}
   *   ready: what may be shown now; repeat: it passed before; gap: the positions that are missing
   */
  take(record) {
    const room = this.#room(record.conversationId, record.prevSeq ?? 0);
    if (record.seq <= room.given) return { ready: [], repeat: true, gap: null };
    if ((record.prevSeq ?? 0) > room.given) {
      if (room.held.size < this.#hold) room.held.set(record.seq, record);
      return { ready: [], repeat: false, gap: this.gap(record.conversationId) };
    }
    return { ready: this.#pass(room, record), repeat: false, gap: this.gap(record.conversationId) };
  }

  /**
   * Takes a stretch of history, oldest first, that begins right after the last record that passed.
   * Positions that hold nothing for us come as {seq, passed: true}.
   */
  fill(conversationId, items) {
    const room = this.#room(conversationId, 0);
    const ready = [];
    for (const item of items) {
      if (item.seq <= room.given) continue;
      if (item.passed) {
        room.given = item.seq;
        ready.push(...this.#drain(room));
      } else {
        ready.push(...this.#pass(room, item));
      }
    }
    return { ready, gap: this.gap(conversationId) };
  }

  /** The positions missing before the first record that is held back; null if none is. */
  gap(conversationId) {
    const room = this.#rooms.get(conversationId);
    const first = room && lowest(room.held);
    return first ? { conversationId, after: room.given, before: first.seq } : null;
  }

  /** The page has shown everything up to seq. Returns the seq to acknowledge, or 0 if it was never handed out. */
  shown(conversationId, seq) {
    const room = this.#rooms.get(conversationId);
    if (!room) return 0;
    room.shown = Math.max(room.shown, Math.min(seq, room.given));
    return room.shown;
  }

  /** What may be acknowledged of a conversation: the last seq shown, 0 if none. */
  mark(conversationId) {
    return this.#rooms.get(conversationId)?.shown ?? 0;
  }

  /** conversationId -> last seq shown, of the `limit` conversations that moved last. */
  marks(limit = 200) {
    const moved = [...this.#rooms].filter(([, room]) => room.shown > 0).slice(-limit);
    return Object.fromEntries(moved.map(([id, room]) => [id, room.shown]));
  }

  /** Forgets one conversation's position: the next record that comes is the new beginning. */
  forget(conversationId) {
    this.#rooms.delete(conversationId);
  }

  #room(conversationId, baseline) {
    let room = this.#rooms.get(conversationId);
    if (!room) {
      // The server never sends a record before those that precede it, so the first one seen shows where we stand.
      room = { given: baseline, shown: 0, held: new Map() };
    }
    this.#rooms.delete(conversationId); // to the end: a Map keeps the order of insertion
    this.#rooms.set(conversationId, room);
    return room;
  }

  #pass(room, record) {
    room.given = record.seq;
    room.held.delete(record.seq);
    return [record, ...this.#drain(room)];
  }

  #drain(room) {
    const ready = [];
    for (let next = lowest(room.held); next; next = lowest(room.held)) {
      if (next.seq > room.given) {
        if ((next.prevSeq ?? 0) > room.given) break;
        room.given = next.seq;
        ready.push(next);
      }
      room.held.delete(next.seq);
    }
    return ready;
  }
}

function lowest(held) {
  let first = null;
  for (const record of held.values()) if (!first || record.seq < first.seq) first = record;
  return first;
}
