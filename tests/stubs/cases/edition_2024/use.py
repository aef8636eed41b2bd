"""Edition 2024: symbol visibility, and options that hold for the source only."""

from .api.shop import order_pb2, order_pb2_grpc, parts_pb2

order = order_pb2.Order(OrderId="7", parts=[parts_pb2.Part(name="n", size=parts_pb2.SIZE_LARGE)], note="x")
assert order_pb2.Order.FromString(order.SerializeToString()) == order
assert order.HasField("OrderId") and not order_pb2.Order().HasField("OrderId")
assert order_pb2_grpc.OrdersServicer.Place.__doc__ == "Place one; \\o/."
