package openapitest

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// location is the description's, for references in it.
const location = "openapi.json"

// schemas are those of bodies.
type schemas map[*openapi3.MediaType]*jsonschema.Schema

// take compiles the schemas of a document's bodies, once, and takes them out of it: what checks the rest would compile them for
// each body.
func take(document *openapi3.T, text []byte) (schemas, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(location, parsed); err != nil {
		return nil, err
	}
	s := schemas{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			if err := s.ofOperation(c, operation, "#/paths/"+escape(path)+"/"+strings.ToLower(method)); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func (s schemas) ofOperation(c *jsonschema.Compiler, o *openapi3.Operation, at string) error {
	if body := o.RequestBody; body != nil {
		if err := s.ofContent(c, body.Value.Content, at+"/requestBody"); err != nil {
			return err
		}
	}
	for status, response := range o.Responses.Map() {
		where := at + "/responses/" + status
		if response.Ref != "" {
			where = response.Ref
		}
		if err := s.ofContent(c, response.Value.Content, where); err != nil {
			return err
		}
	}
	return nil
}

func (s schemas) ofContent(c *jsonschema.Compiler, content openapi3.Content, at string) (err error) {
	for name, media := range content {
		if media.Schema == nil { // it has none, or is another operation's too
			continue
		}
		pointer := strings.TrimPrefix(at, "#") + "/content/" + escape(name) + "/schema"
		if s[media], err = c.Compile(location + (&url.URL{Fragment: pointer}).String()); err != nil {
			return err
		}
		media.Schema = nil
	}
	return nil
}

// escape makes a key a part of a JSON pointer; see RFC 6901, section 3.
func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

// validate returns what of a body is not as described for its media type, but for fields that ignored names.
func (s schemas) validate(content openapi3.Content, contentType string, body []byte, ignored ...string) error {
	schema := s[content.Get(contentType)]
	if schema == nil {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	if fields, ok := value.(map[string]any); ok {
		for _, name := range ignored {
			delete(fields, name)
		}
	}
	return schema.Validate(value)
}
