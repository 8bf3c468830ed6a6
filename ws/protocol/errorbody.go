package protocol

// ErrorBody is the one shape of an error in REST: {"error":{"code","message","field"?,"requestId"}}.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail is what an ErrorBody says.
type ErrorDetail struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`
	Field     string `json:"field,omitempty"`
	RequestID string `json:"requestId"`
}

// NewErrorBody returns the HTTP status and body for err. What is not an *Error becomes internal, its text hidden.
func NewErrorBody(err error, requestID string) (status int, body ErrorBody) {
	coded := AsError(err)
	return coded.Code.Status(), ErrorBody{Error: ErrorDetail{
		Code: coded.Code, Message: coded.Message, Field: coded.Field, RequestID: requestID,
	}}
}
