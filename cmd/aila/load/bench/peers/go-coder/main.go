// Command go-coder is what one would write first: coder/websocket with encoding/json, a goroutine
// for each connection, no actors.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/coder/websocket"
)

type msg struct {
	Type   string          `json:"type"`
	Seq    uint64          `json:"seq,omitempty"`
	Action string          `json:"action,omitempty"`
	ID     string          `json:"session_id,omitempty"`
	Data   []byte          `json:"data,omitempty"`
	Audio  json.RawMessage `json:"audio,omitempty"`
}

func main() {
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			_, p, err := c.Read(r.Context())
			if err != nil {
				return
			}
			var m msg
			if err := json.Unmarshal(p, &m); err != nil {
				c.Write(r.Context(), websocket.MessageText, []byte(`{"type":"error","code":"invalid_json"}`))
				continue
			}
			switch m.Type {
			case "session_control":
				m = msg{Type: "session_started", ID: "s"}
			case "audio_chunk":
				m = msg{Type: "audio_chunk", Seq: m.Seq, Data: m.Data}
			}
			b, _ := json.Marshal(m)
			if c.Write(r.Context(), websocket.MessageText, b) != nil {
				return
			}
		}
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "3001"
	}
	fmt.Fprintln(os.Stderr, "go-coder:", http.ListenAndServe("127.0.0.1:"+port, nil))
	os.Exit(1)
}
