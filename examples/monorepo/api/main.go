// Command api says what an order costs.
package main

import (
	"fmt"

	"example.com/orders/shared"
)

func main() {
	fmt.Printf("%s: %d cents\n", shared.Example.Article, shared.Example.Total())
}
