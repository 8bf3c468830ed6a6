package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"time"
)

const (
	dialTime  = time.Second
	closeTime = 2 * time.Second
)

// front passes requests on to the nodes in turn, and over those that do not listen, until ctx ends. Sockets have a turn of
// their own: windows opened one after another are on different nodes, however many requests the page makes in between.
func front(ctx context.Context, address string, nodes []*node) error {
	requests, sockets := inTurn(nodes), inTurn(nodes)
	pass := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			sockets.ServeHTTP(w, r)
			return
		}
		requests.ServeHTTP(w, r)
	}
	server := &http.Server{Addr: address, Handler: http.HandlerFunc(pass), ReadHeaderTimeout: dialTime}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		_ = server.Shutdown(ctx) // sockets end with the nodes
		_ = server.Close()
	}()
	err := server.ListenAndServe()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	<-stopped
	return nil
}

func inTurn(nodes []*node) *httputil.ReverseProxy {
	var turn atomic.Uint64
	dial := func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
		dialer := net.Dialer{Timeout: dialTime}
		first := turn.Add(1)
		for i := range nodes {
			n := nodes[(first+uint64(i))%uint64(len(nodes))]
			if conn, err = dialer.DialContext(ctx, network, n.address); err == nil {
				return conn, nil
			}
		}
		return nil, fmt.Errorf("no node listens: %w", err)
	}
	return &httputil.ReverseProxy{
		// Kept connections would send everything to one node.
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		// The nodes see the client's own Host, and no header of a proxy: the development SSO answers nobody else.
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Host },
	}
}
