// Package middleware holds the Gin middleware of Yanlink: what every request passes before a handler sees it.
//
// The order matters: BodyDeadline and TokenFilter first, so that no body is waited for without an end and nothing after
// them can log a token; then RequestID, AccessLog, Errors and
// Recovery; then CORS and limits; then Authenticate. Each needs only those named before it in its comment.
//
// A middleware or handler refuses by Refuse, and Errors writes the one error body that clients know. Who calls stands
// in the request's context as a ws.Caller.
//
// Concurrency: every middleware may serve many requests at once. None starts a goroutine.
package middleware
