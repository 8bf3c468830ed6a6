package main

import (
	"context"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

func consume(handle func([]byte)) error {
	// HERE
}

func main() {
	if err := consume(func([]byte) {}); err != nil {
		panic(err)
	}
}
