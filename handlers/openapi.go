package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/docs"
)

// openAPI serves GET /openapi.json.
func (a *API) openAPI(c *gin.Context) {
	c.Data(http.StatusOK, "application/json; charset=utf-8", docs.OpenAPI())
}
