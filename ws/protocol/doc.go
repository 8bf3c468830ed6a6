// Package protocol is the wire between Yanlink and its clients: the frames, their codec, the codes of errors and of closed
// connections, and the identities of conversations and messages. It knows nothing of sockets, sessions or storage and
// imports the standard library only.
//
// # Reading
//
// Decode reads one frame of a client in one pass over its text, with one allocation: the copy of the text that the
// frame's strings are parts of. It first takes down where the known fields stand and then gives them their meaning, so that
// the order of keys does not matter, and the answer to a broken frame can still repeat the id and msgid that it names.
//
// The text is taken strictly. Refused as bad_json is all that RFC 8259 does not allow, and besides: data after the frame,
// invalid UTF-8, escapes of half a surrogate pair, and more than MaxDepth objects and arrays inside each other. Refused
// as bad_frame are a frame that is no object and a field given twice, since two readers would not agree on which one
// counts. Refused as bad_field is a value of the wrong type or out of its range; whole numbers are written in digits,
// without fraction or exponent, and end at MaxInteger. Keys are compared exactly.
//
// It is lenient only where clients differ in good faith: unknown fields are passed over (their text still has to be
// well formed), null stands for an optional field that was not given, type and fileType may be the string of a number,
// and fromUser and toUser of an acknowledgement may be the object around an openid that frame 2 shows.
//
// # Writing
//
// Each Append function appends one frame, or the named part of one, to a buffer of the caller and returns the longer
// buffer; with room in it nothing is allocated. Fields that clients have always known come first, in their old order. What
// an envelope says to every device of a receiver alike, everything up to its position, is written once by the functions
// that end in Shared; AppendMessageTail closes it for one session. Any string becomes valid JSON: invalid UTF-8 becomes
// U+FFFD. The one exception is an id, which is raw JSON as Decode left it in Frame.ID.
//
// # Concurrency
//
// All functions may be called at the same time. A Frame and a buffer belong to one caller at a time; a Dates may be
// shared. Errors are values that nobody changes once they were handed on; Decode makes a new one each time.
//
// # Secrets
//
// The text of an Error never repeats what a client wrote. A Frame holds bodies and tokens and must not be logged.
package protocol
