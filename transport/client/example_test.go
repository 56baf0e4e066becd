package client_test

import (
	"context"
	"fmt"
	"time"

	"aila/proto"
	"aila/transport/client"
)

// A client that says one second of silence and hears the answer.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := client.Dial(ctx, "ws://127.0.0.1:3001/ws", client.Options{
		OnEvent: func(_ *client.Session, m proto.Outbound) {
			if a, ok := m.(*proto.AudioOut); ok {
				fmt.Println("heard", len(a.Data), "bytes")
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 50 { // from a microphone these would come one every 20 ms
		s.Send(make([]byte, 960)) // 20 ms at 24 kHz
	}
	fmt.Println("ended:", s.Finish(ctx))
}
