package load

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
)

//go:embed page/page.html
var pageText string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

var page = template.Must(template.New("page").Parse(pageText))

// WriteHTML writes the report as one page that needs nothing else.
func (p *Report) WriteHTML(w io.Writer) error {
	data, err := json.Marshal(p) // which escapes what would end a script
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	return page.Execute(w, map[string]any{
		"Title": fmt.Sprintf("%s clients on %s", p.setting("clients"), p.setting("url")),
		"CSS":   template.CSS(pageCSS),
		"JS":    template.JS(pageJS),
		"Data":  template.JS(data),
	})
}
