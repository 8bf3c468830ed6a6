package app

import (
	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/handlers"
)

// Routers returns what the listeners of a Server that has started serve, and who may do what there.
func (s *Server) Routers() (public, admin *gin.Engine, publicRows, adminRows []handlers.Access) {
	public, publicRows, err := s.router()
	if err != nil {
		panic(err) // it has started with the same configuration
	}
	admin, adminRows = s.adminRouter()
	return public, admin, publicRows, adminRows
}
