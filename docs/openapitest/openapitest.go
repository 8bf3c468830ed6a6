// Package openapitest holds requests and answers against the description of the REST API.
package openapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/yanlink/yanlink/docs"
)

// description is what requests and answers are held against.
type description struct {
	router  routers.Router
	schemas schemas
}

var described = sync.OnceValues(func() (d description, err error) {
	text, err := closed(docs.OpenAPI())
	if err != nil {
		return d, err
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return d, err
	}
	if err = document.Validate(context.Background()); err != nil {
		return d, err
	}
	document.Servers = nil // paths are below where the API is mounted
	if d.schemas, err = take(document, text); err != nil {
		return d, err
	}
	d.router, err = gorillamux.NewRouter(document)
	return d, err
})

// Document fails the test where the description itself is not OpenAPI 3.1.
func Document(tb testing.TB) {
	tb.Helper()
	load(tb)
}

func load(tb testing.TB) description {
	tb.Helper()
	d, err := described()
	if err != nil {
		tb.Fatalf("docs/openapi.yaml: %v", err)
	}
	return d
}

// Exchange fails the test where a request and its answer, the bodies of which are sent and got, are not what the description
// has. A request that was served has to be valid by it, and one that is not valid has to be refused for that, with 4xx. Of the
// answer it has the route, status, media type and every field, of a request every parameter and header too. path is below where
// the API is mounted. It may be called from any goroutine.
func Exchange(tb testing.TB, path string, sent []byte, answer *http.Response, got []byte) {
	tb.Helper()
	d, err := described()
	if err != nil {
		tb.Errorf("docs/openapi.yaml: %v", err)
		return
	}
	request, err := http.NewRequestWithContext(tb.Context(), answer.Request.Method, "http://127.0.0.1"+path, bytes.NewReader(sent))
	if err != nil {
		tb.Error(err)
		return
	}
	request.Header = answer.Request.Header.Clone()
	if len(sent) > 0 && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json") // as which it is read
	}
	exchanged := request.Method + " " + path + ": " + answer.Status
	e, err := d.find(request)
	if err != nil {
		tb.Errorf("docs/openapi.yaml has no such path: %s: %v", exchanged, err)
		return
	}
	if err := e.validRequest(tb.Context(), sent); err != nil && !refused(answer.StatusCode, got) {
		tb.Errorf("by docs/openapi.yaml the request is not valid, and it was not refused with 4xx: %s: %v\n%s", exchanged, err, sent)
	}
	if err := e.validAnswer(tb.Context(), answer, got); err != nil {
		tb.Errorf("docs/openapi.yaml has no such answer: %s: %v\n%s", exchanged, err, got)
	}
}

// refused reports whether an answer says that the caller is at fault, be it in one of several messages.
func refused(status int, got []byte) bool {
	var several struct {
		Items   []struct{ Status int }
		Content []struct{ StatusCode int }
	}
	if status != http.StatusOK || json.Unmarshal(got, &several) != nil {
		return isRefusal(status)
	}
	return slices.ContainsFunc(several.Items, func(one struct{ Status int }) bool { return isRefusal(one.Status) }) ||
		slices.ContainsFunc(several.Content, func(one struct{ StatusCode int }) bool { return isRefusal(one.StatusCode) })
}

func isRefusal(status int) bool { return status >= 400 && status < 500 }
