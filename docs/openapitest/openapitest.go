// Package openapitest holds requests and answers against the description of the REST API.
package openapitest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"

	"github.com/yanlink/yanlink/docs"
)

var described = sync.OnceValues(func() (validator.Validator, []error) {
	document, err := libopenapi.NewDocument(docs.OpenAPI())
	if err != nil {
		return nil, []error{err}
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions(), config.WithStrictMode(),
		// The strict mode does not see that additionalProperties, or no schema at all, declare what they allow; and a test sends
		// what is unknown.
		config.WithStrictIgnorePaths("$.body.dependencies.*", "$.body.msg.*", "$.body.unknown"),
		config.WithStrictIgnoredHeadersExtra("X-Api-Key")) // like Authorization: who shows who it is where nobody asks is served too
	return v, errs
})

// asking is held while the validator works: it writes to the description, for one, when it renders a schema.
var asking sync.Mutex

// Document fails the test where the description itself is not OpenAPI 3.1.
func Document(tb testing.TB) {
	tb.Helper()
	v, errs := described()
	if len(errs) > 0 {
		tb.Fatalf("docs/openapi.yaml: %v", errs)
	}
	asking.Lock()
	defer asking.Unlock()
	if ok, errs := v.ValidateDocument(); !ok {
		tb.Fatalf("docs/openapi.yaml: %v", errs)
	}
}

// Exchange fails the test where a request and its answer, the bodies of which are sent and got, are not what the description
// has. A request that was served has to be valid by it, and one that is not valid has to be refused for that, with 4xx. Of the
// answer it has the route, status, media type and every field. path is below where the API is mounted. It may be called from
// any goroutine.
func Exchange(tb testing.TB, path string, sent []byte, answer *http.Response, got []byte) {
	tb.Helper()
	v, errs := described()
	if len(errs) > 0 {
		tb.Fatalf("docs/openapi.yaml: %v", errs)
	}
	request, err := http.NewRequestWithContext(tb.Context(), answer.Request.Method, "http://127.0.0.1"+path, bytes.NewReader(sent))
	if err != nil {
		tb.Fatal(err)
	}
	request.Header = answer.Request.Header.Clone()
	if len(sent) > 0 && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json") // as which it is read
	}
	copied := *answer
	copied.Body = io.NopCloser(bytes.NewReader(got))
	asking.Lock()
	valid, faults := v.ValidateHttpRequestSync(request)
	known, problems := v.ValidateHttpResponse(request, &copied)
	asking.Unlock()
	exchanged := request.Method + " " + path + ": " + answer.Status
	if !valid && !refused(answer.StatusCode, got) {
		report(tb, "by docs/openapi.yaml the request is not valid, and it was not refused with 4xx: "+exchanged, faults, sent)
	}
	if !known {
		report(tb, "docs/openapi.yaml has no such answer: "+exchanged, problems, got)
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

func report(tb testing.TB, what string, problems []*errors.ValidationError, body []byte) {
	tb.Helper()
	for _, p := range problems {
		tb.Errorf("%s: %s: %s %+v\n%s", what, p.Message, p.Reason, p.SchemaValidationErrors, body)
	}
}
