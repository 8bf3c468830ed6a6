package scenario

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
)

// callers is how many calls are under way at one time.
const callers = 64

// calls asks again and again who it is, which is the cheapest call there is.
func (v *vandal) calls(ctx context.Context) error {
	transport := &http.Transport{
		MaxIdleConnsPerHost: callers,
		DialContext:         func(ctx context.Context, _, addr string) (net.Conn, error) { return v.dial.Connect(ctx, addr) },
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: neighbourTimeout}
	return many(callers, func() {
		for v.next(ctx) {
			v.call(ctx, client)
		}
	})
}

func (v *vandal) call(ctx context.Context, client *http.Client) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.addr+"/api/v1/me", nil)
	if err != nil {
		v.got(err.Error())
		return
	}
	request.Header.Set("Authorization", "Bearer "+v.token)
	response, err := client.Do(request)
	switch {
	case err == nil:
		v.got(strconv.Itoa(response.StatusCode))
		_, _ = io.Copy(io.Discard, response.Body) // so that the connection can be used again
		_ = response.Body.Close()
	case ctx.Err() == nil:
		v.got("no answer")
	}
}
