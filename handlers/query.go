package handlers

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws/protocol"
)

// How many items of a list are answered.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// limitOf reads the parameter limit.
func limitOf(c *gin.Context) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, protocol.FieldError(protocol.BadField, "limit", "must be a number from 1 to "+strconv.Itoa(maxLimit))
	}
	return n, nil
}

// seqOf reads a parameter that is a position.
func seqOf(name, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > protocol.MaxInteger {
		return 0, protocol.FieldError(protocol.BadField, name, "must be a seq: a whole number, not negative")
	}
	return n, nil
}
