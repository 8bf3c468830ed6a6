package main

import (
	"context"
	"log/slog"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
)

func mount(ctx context.Context, cfg *configs.Config, mySSO ws.Authenticator, logger *slog.Logger, router *gin.Engine) error {
	// HERE
	return err
}

func main() {
	if err := mount(context.Background(), configs.Default(), nil, slog.Default(), gin.New()); err != nil {
		panic(err)
	}
}
