package services

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"
)

const (
	nacosStarts  = 10              // enough, where up to four in ten do not do
	nacosServing = 3 * time.Second // after which what it does not serve it never will
)

// NacosWith is StartOrSkip of a server that holds a configuration. Some starts of rnacos 0.8.8 take what it is
// given, say so, and never serve it, however often it is given again: then another one is started.
func NacosWith(tb testing.TB, group, name, content string) *Server {
	tb.Helper()
	where := url.Values{"dataId": {name}, "group": {group}}
	for range nacosStarts {
		s := StartOrSkip(tb, Spec{Kind: Nacos})
		if err := s.configure(tb.Context(), where, content); err != nil {
			tb.Fatal(err)
		}
		if s.serves(tb.Context(), where) {
			return s
		}
		tb.Log("this rnacos does not serve what it was given; another one is started")
	}
	tb.Fatalf("none of %d servers serves what it was given", nacosStarts)
	return nil
}

func (s *Server) configs(where url.Values) string {
	return "http://" + s.Addr + "/nacos/v1/cs/configs?" + where.Encode()
}

func (s *Server) configure(ctx context.Context, where url.Values, content string) error {
	status, err := ask(ctx, http.MethodPost, s.configs(where)+"&content="+url.QueryEscape(content))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("nacos does not take a configuration: status %d", status)
	}
	return err
}

func (s *Server) serves(ctx context.Context, where url.Values) bool {
	for end := time.Now().Add(nacosServing); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if status, err := ask(ctx, http.MethodGet, s.configs(where)); err == nil && status == http.StatusOK {
			return true
		}
	}
	return false
}

func ask(ctx context.Context, method, address string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Close = true // no connection stays behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
