package client

import "time"

// AckStyle is how a client acknowledges.
type AckStyle uint8

// The ways of acknowledging that the storm mixes.
const (
	AckEach     AckStyle = iota // each message at once, by msgid and sender, as old clients do
	AckByID                     // each message at once, by messageId
	AckThrough                  // every few messages, by conversationId and upTo
	AckLate                     // each message after a while, and so in any order
	AckShuffled                 // a handful at a time, in random order
	AckMarks                    // only by the marks of a sync
	AckStyles                   // how many there are
)

// Habits are what makes one client differ from another. The zero value is an old client that acknowledges at once,
// sends one message after the other, and never drops its connection.
type Habits struct {
	V1         bool // speaks yanlink.v1: hello, ids, sync
	Ack        AckStyle
	InFlight   int           // sends without a 0 before the client waits; 0 counts as 1
	Burst      int           // messages sent in one go; 0 counts as 1
	Pause      time.Duration // mean time between bursts
	DropEvery  time.Duration // mean time between dropped connections; 0: never
	ForgetAcks bool          // acknowledgements that wait when the connection drops are gone with it
	RESTShare  float64       // of the messages that go in by REST
	Repeats    float64       // of the messages that are sent again although they got their 0
	Recalls    float64       // of the messages that are taken back soon after their 0
	CrossShare float64       // of the messages that go to others than the first peer
}
