module example.com/orders/shared

go 1.24
