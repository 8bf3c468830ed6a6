package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// polled is page for what clients ask for again and again: whoever has it already, by its ETag, is spared the rest. A
// browser may keep it, for the same caller, if it asks each time.
func polled[T any](c *gin.Context, items []T, next string) error {
	if items == nil {
		items = []T{}
	}
	body, err := json.Marshal(list[T]{Items: items, Next: next})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	header := c.Writer.Header()
	header.Set("ETag", tag)
	header.Set("Cache-Control", "private, no-cache")
	header.Add("Vary", "Authorization, Cookie, X-API-Key")
	if hasTag(c.GetHeader("If-None-Match"), tag) {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return nil
	}
	c.Data(http.StatusOK, "application/json; charset=utf-8", body)
	return nil
}

// hasTag reports whether an If-None-Match names tag, also as a weak one, as proxies make them that compress.
func hasTag(given, tag string) bool {
	return slices.ContainsFunc(strings.Split(given, ","), func(one string) bool {
		one = strings.TrimSpace(one)
		return one == "*" || strings.TrimPrefix(one, "W/") == tag
	})
}
