package main

import (
	"fmt"
	"io"

	"github.com/gin-gonic/gin"
)

// accessLog is the shop's own logger. It writes the whole URL, query and all, as many applications do: what keeps tokens
// out of it is the bundle's TokenFilter.
func accessLog(out io.Writer) gin.HandlerFunc {
	return func(c *gin.Context) {
		asked := c.Request.Method + " " + c.Request.RequestURI
		c.Next()
		_, _ = fmt.Fprintf(out, "shop: %d %s from %s\n", c.Writer.Status(), asked, c.ClientIP())
	}
}

// tag marks the shop's answers.
func tag(c *gin.Context) { c.Header("X-Shop", "gin-app") }
