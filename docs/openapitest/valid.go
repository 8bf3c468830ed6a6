package openapitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// exchange is a request with what the description has of it.
type exchange struct {
	description
	asked *openapi3filter.RequestValidationInput
}

// find returns what the description has of a request.
func (d description) find(request *http.Request) (exchange, error) {
	route, parameters, err := d.router.FindRoute(request)
	if err != nil {
		return exchange{}, err
	}
	for name, value := range parameters {
		if parameters[name], err = url.PathUnescape(value); err != nil {
			return exchange{}, err
		}
	}
	return exchange{d, &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: shown, IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, MultiError: true,
		},
	}}, nil
}

// shown returns nil if a request has what a scheme asks for.
func shown(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	scheme, request := input.SecurityScheme, input.RequestValidationInput.Request
	switch {
	case scheme.Type == "http" && strings.HasPrefix(strings.ToLower(request.Header.Get("Authorization")), scheme.Scheme+" "),
		scheme.In == "header" && request.Header.Get(scheme.Name) != "",
		scheme.In == "query" && request.URL.Query().Has(scheme.Name):
		return nil
	}
	return fmt.Errorf("it has no %s", input.SecuritySchemeName)
}

// ordinary are headers that are nobody's to describe, and those by which one shows who one is, also where nobody asks.
var ordinary = []string{
	"Accept-Encoding", "Authorization", "Content-Length", "Content-Type", "Origin", "User-Agent", "X-Api-Key", "X-Forwarded-For", "X-Request-Id",
}

// undescribed returns what of a request's query and headers nobody has described.
func (e exchange) undescribed() (errs []error) {
	described := func(in, name string) bool {
		return e.asked.Route.Operation.Parameters.GetByInAndName(in, name) != nil || e.asked.Route.PathItem.Parameters.GetByInAndName(in, name) != nil
	}
	for name := range e.asked.GetQueryParams() {
		if !described("query", name) {
			errs = append(errs, fmt.Errorf("there is no parameter %s", name))
		}
	}
	for name := range e.asked.Request.Header {
		if !slices.Contains(ordinary, name) && !described("header", name) {
			errs = append(errs, fmt.Errorf("there is no header %s", name))
		}
	}
	return errs
}

// probe is the field by which tests see that unknown fields are ignored.
const probe = "unknown"

// validRequest returns what of the request, the body of which is sent, is not as the description has it.
func (e exchange) validRequest(ctx context.Context, sent []byte) error {
	operation := e.asked.Route.Operation
	errs := []error{openapi3filter.ValidateRequest(ctx, e.asked)}
	if body := operation.RequestBody; body != nil && len(sent) > 0 {
		errs = append(errs, e.schemas.validate(body.Value.Content, e.asked.Request.Header.Get("Content-Type"), sent, probe))
	}
	return errors.Join(append(errs, e.undescribed()...)...)
}

// validAnswer returns what of an answer, the body of which is got, is not as the description has it.
func (e exchange) validAnswer(ctx context.Context, answer *http.Response, got []byte) error {
	if err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: e.asked, Status: answer.StatusCode, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(got)),
		Options: e.asked.Options,
	}); err != nil {
		return err
	}
	response := e.asked.Route.Operation.Responses.Status(answer.StatusCode)
	if response == nil {
		return fmt.Errorf("there is no status %d", answer.StatusCode) // the filter lets some pass
	}
	return e.schemas.validate(response.Value.Content, answer.Header.Get("Content-Type"), got)
}
