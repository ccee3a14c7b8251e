// Command worker says what is to be sent.
package main

import (
	"fmt"

	"example.com/orders/shared"
)

func main() {
	fmt.Printf("send %d of %s\n", shared.Example.Count, shared.Example.Article)
}
