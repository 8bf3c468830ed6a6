package middleware

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// BodyLimit makes reading a body fail with *http.MaxBytesError beyond so many bytes.
func BodyLimit(bytes int) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, int64(bytes))
	}
}
