// The frames of the protocol that a browser speaks: building ours, reading theirs.

/** Frame numbers by name. */
export const Type = {
  accepted: 0, send: 1, message: 2, groupMessage: 10, ack: 15, acked: 16, delivered: 17, presence: 24,
  sync: 28, synced: 29, recalled: 31, event: 32, hello: 33, error: 500,
};

/** Frame 1. The id is the msgid, so that the one reply to it can be told from all others. */
export const send = ({ to, text, fileType, msgid }) =>
  ({ type: Type.send, id: msgid, params: { toMessageId: to, message: text, fileType, msgid } });

/** Frame 15 for everything up to a seq. */
export const ackUpTo = (conversationId, upTo) => ({ type: Type.ack, params: { from: "client", conversationId, upTo } });

/** Frame 28. The id tells a refusal of it from any other. */
export const sync = (conversations, pending) => ({ type: Type.sync, id: syncId, params: { conversations, pending } });

/** The id of every sync; no msgid of ours looks like it. */
export const syncId = "sync";

/** The application's heartbeat. */
export const ping = { type: "20" };

/** The subprotocols that carry a token without putting it into a URL. */
export function subprotocols(token) {
  const bytes = new TextEncoder().encode(token);
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return ["yanlink.v1", `yanlink.token.${text}`];
}

/** A frame of the server: envelopes and replies alike become {type, params, id, envelope}. Throws on what is no frame. */
export function read(text) {
  const frame = JSON.parse(text);
  const inner = frame.msg ?? frame;
  return { type: inner.type, params: inner.params ?? {}, id: frame.id, envelope: frame.msg ? frame : null };
}

const kinds = new Map([[Type.message, "message"], [Type.groupMessage, "message"], [Type.recalled, "recalled"], [Type.event, "event"]]);

/** Frames 2, 10, 31 and 32 as a record; null for any other, and for one without a position. */
export function record({ type, params, envelope }, me) {
  const kind = kinds.get(type);
  if (!kind || !params.conversationId || !(params.seq > 0)) return null;
  const from = person(params.fromUser ?? params.by ?? params.user);
  return {
    kind,
    conversationId: params.conversationId,
    seq: params.seq,
    prevSeq: params.prevSeq ?? 0,
    messageId: envelope?.messageId,
    msgid: params.msgid,
    from,
    to: person(params.toUser),
    mine: from?.openid === me,
    groupId: params.groupId,
    text: params.message ?? "",
    fileType: Number(params.fileType ?? 0),
    at: params.at ?? envelope?.activeTime ?? 0,
    redelivered: Boolean(params.redelivered),
    recalled: params.recalled,
    event: params.event,
  };
}

/** An item of GET conversations/{id}/messages, in the same shape as a record. */
export function historyItem(item, conversationId, me) {
  const kind = ["message", "recalled", "expired"].includes(item.kind) ? item.kind : "event";
  const from = item.from ? person(item.from) : null;
  return {
    kind,
    passed: !item.messageId,
    conversationId,
    seq: item.seq,
    messageId: item.messageId,
    msgid: item.msgid,
    from,
    mine: from?.openid === me,
    text: item.message ?? "",
    fileType: Number(item.fileType ?? 0),
    at: millis(item.at),
    event: kind === "event" ? item.kind : undefined,
  };
}

/** Times come as epoch ms over the socket and as RFC 3339 by REST. */
export const millis = (time) => (typeof time === "number" ? time : Date.parse(time) || 0);

function person(user) {
  if (!user) return null;
  return typeof user === "string" ? { openid: user, name: "" } : { openid: user.openid, name: user.userName ?? "" };
}
