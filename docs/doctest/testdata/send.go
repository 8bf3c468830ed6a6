package main

import (
	"context"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/ws"
)

func send(ctx context.Context, bundle *app.Bundle, o struct{ Customer string }) (ws.SendResult, error) {
	// HERE
	return sent, err
}

func main() {
	_, _ = send(context.Background(), nil, struct{ Customer string }{})
}
