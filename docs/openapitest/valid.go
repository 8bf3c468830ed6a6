package openapitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

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
	return exchange{d, &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc, // who lacks a token is answered with 401
			IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, MultiError: true,
		},
	}}, err
}

// validRequest returns what of the request, the body of which is sent, is not as the description has it.
func (e exchange) validRequest(ctx context.Context, sent []byte) error {
	operation := e.asked.Route.Operation
	errs := []error{openapi3filter.ValidateRequest(ctx, e.asked)}
	if body := operation.RequestBody; body != nil && len(sent) > 0 {
		errs = append(errs, e.schemas.validate(body.Value.Content, e.asked.Request.Header.Get("Content-Type"), sent))
	}
	for name := range e.asked.GetQueryParams() {
		if operation.Parameters.GetByInAndName("query", name) == nil && e.asked.Route.PathItem.Parameters.GetByInAndName("query", name) == nil {
			errs = append(errs, fmt.Errorf("there is no parameter %s", name))
		}
	}
	return errors.Join(errs...)
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
		return nil // such as 304, of which the filter asks nothing
	}
	return e.schemas.validate(response.Value.Content, answer.Header.Get("Content-Type"), got)
}
