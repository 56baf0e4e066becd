// Command go-gws is the high-water mark among Go servers: lxzan/gws with the fastest JSON codec
// (sonic), and neither actors nor supervision.
package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/bytedance/sonic"
	"github.com/lxzan/gws"
)

// echo answers every message.
type echo struct{ gws.BuiltinEventHandler }

type msg struct {
	Type string `json:"type"`
	Seq  uint64 `json:"seq"`
	Data string `json:"data"`
}

// OnMessage implements gws.Event.
func (echo) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	var x msg
	if sonic.Unmarshal(m.Bytes(), &x) != nil {
		c.WriteString(`{"type":"error","code":"invalid_json"}`)
		return
	}
	switch x.Type {
	case "session_control":
		c.WriteString(`{"type":"session_started","session_id":"s"}`)
	case "audio_chunk":
		pcm := make([]byte, base64.StdEncoding.DecodedLen(len(x.Data)))
		n, err := base64.StdEncoding.Decode(pcm, []byte(x.Data))
		if err != nil {
			return
		}
		b := make([]byte, 0, len(x.Data)+64)
		b = append(b, `{"type":"audio_chunk","seq":`...)
		b = strconv.AppendUint(b, x.Seq, 10)
		b = append(b, `,"data":"`...)
		b = base64.StdEncoding.AppendEncode(b, pcm[:n])
		b = append(b, `"}`...)
		c.WriteMessage(gws.OpcodeText, b)
	}
}

func main() {
	up := gws.NewUpgrader(echo{}, &gws.ServerOption{})
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r)
		if err != nil {
			return
		}
		go c.ReadLoop() // ends with its socket
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "3001"
	}
	fmt.Fprintln(os.Stderr, "go-gws:", http.ListenAndServe("127.0.0.1:"+port, nil))
	os.Exit(1)
}
