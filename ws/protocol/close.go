package protocol

// Close codes of RFC 6455 and ours (4000 and up): they tell the client whether to come back.
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseBadData     = 1007
	CloseTooLarge    = 1009
	CloseFault       = 1011
	CloseRestart     = 1012
	CloseOverload    = 1013
	CloseBadFrames   = 4400
	CloseTokenEnded  = 4401
	CloseForbidden   = 4403
	CloseNoHeartbeat = 4408
	CloseReplaced    = 4409
	CloseAcksNothing = 4410
)

// Close is a close code and what it means.
type Close struct {
	Code    int
	Meaning string
	Client  string // what the client does
}

// Closes returns every close code that a client may see, in order. 1006 is never sent: it is what a client sees where the
// network ended the connection.
func Closes() []Close {
	const hint, bug, away = "reconnects after the hint", "does not reconnect, it is a bug", "stays away"
	return []Close{
		{CloseNormal, "ended by either side", away},
		{CloseGoingAway, "ended by either side", away},
		{1006, "the network", "reconnects, backoff with full jitter"},
		{CloseBadData, "broken frames", bug},
		{CloseTooLarge, "broken frames", bug},
		{CloseFault, "fault", hint},
		{CloseRestart, "node restarting", "reconnects at once"},
		{CloseOverload, "overload", hint},
		{CloseBadFrames, "broken frames", bug},
		{CloseTokenEnded, "token ended or revoked", "gets a new token first"},
		{CloseForbidden, "forbidden, banned or kicked", away},
		{CloseNoHeartbeat, "heartbeat missed", "reconnects"},
		{CloseReplaced, "replaced by a newer session of the same device", away},
		{CloseAcksNothing, "acknowledged nothing", hint},
	}
}
