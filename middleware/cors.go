package middleware

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// CORS lets pages of other origins call. Requests of others pass without any header for them, which makes their
// browsers keep the answer to themselves. credentials lets a cookie travel along.
func CORS(allow func(origin, host string) bool, credentials bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Writer.Header().Add("Vary", "Origin") // of all: a cache may show an answer without the headers to a page that needs them
		origin := c.GetHeader("Origin")
		if origin == "" {
			return
		}
		preflight := c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != ""
		if allow(origin, c.Request.Host) {
			c.Header("Access-Control-Allow-Origin", origin)
			c.Header("Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id")
			if credentials {
				c.Header("Access-Control-Allow-Credentials", "true")
			}
			if preflight {
				c.Header("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
				c.Header("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Api-Key, X-Request-Id")
				c.Header("Access-Control-Max-Age", "600")
			}
		}
		if preflight {
			c.AbortWithStatus(http.StatusNoContent)
		}
	}
}
