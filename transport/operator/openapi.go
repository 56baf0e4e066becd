package operator

import (
	_ "embed"
	"encoding/json"
	"net/http"
)

//go:embed openapi.json
var openapi []byte

func (a *API) showOpenAPI(_ http.ResponseWriter, _ *http.Request) (int, any, error) {
	return http.StatusOK, json.RawMessage(openapi), nil
}
