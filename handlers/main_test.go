package handlers_test

import (
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	time.Local = time.FixedZone("elsewhere", 3600) // what is told in UTC must not be so by chance
	goleak.VerifyTestMain(m)
}
