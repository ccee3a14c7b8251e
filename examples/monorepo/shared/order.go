// Package shared is what both programs know of orders.
package shared

// Order is what someone bought.
type Order struct {
	Article string
	Count   int
	Price   int
}

// Total is what it costs, in cents.
func (o Order) Total() int { return o.Count * o.Price }

// Example is an order.
var Example = Order{Article: "tea", Count: 3, Price: 450}
