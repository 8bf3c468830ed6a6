package app

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/middleware"
)

// closeTwins answers 404 at each path that differs from a served one by a slash at its end. From there Gin would send on to
// the served one before any middleware, and repeat the query in Location and in its debug log, with a token that somebody put
// there. It does so with a slash behind a parameter too, if only something further down is served.
func closeTwins(group *gin.RouterGroup, served []handlers.Access) {
	taken := make(map[string]bool)
	for _, row := range served {
		taken[row.Method+row.Path] = true
	}
	for _, row := range served {
		for _, path := range twinsOf(row.Path) {
			if !taken[row.Method+path] {
				taken[row.Method+path] = true
				group.Handle(row.Method, path, middleware.NotFound)
			}
		}
	}
}

func twinsOf(path string) (twins []string) {
	folder, _ := strings.CutSuffix(path, "*path")
	if bare, slash := strings.CutSuffix(folder, "/"); slash {
		return []string{bare}
	}
	for at := strings.LastIndexByte(path, '/'); at > 0 && strings.Contains(path[:at], ":"); at = strings.LastIndexByte(path[:at], '/') {
		twins = append(twins, path[:at], path[:at]+"/")
	}
	return append(twins, path+"/")
}
