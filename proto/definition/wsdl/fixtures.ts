/** The service of descriptions in tests: document/literal, SOAP 1.1 before 1.2. */
const orders = `
  <wsdl:types>
    <xs:schema targetNamespace="urn:orders:data" elementFormDefault="qualified">
      <xs:simpleType name="Colour"><xs:restriction base="xs:string"><xs:enumeration value="red"/><xs:enumeration value="blue"/></xs:restriction></xs:simpleType>
      <xs:complexType name="Party"><xs:sequence><xs:element name="name" type="xs:string"/><xs:element name="mail" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType>
      <xs:complexType name="Buyer"><xs:complexContent><xs:extension base="d:Party"><xs:sequence><xs:element name="since" type="xs:date" nillable="true" minOccurs="0"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
      <xs:complexType name="Line">
        <xs:sequence><xs:element name="sku" type="xs:string"/><xs:element name="quantity"><xs:simpleType><xs:restriction base="xs:int"><xs:minInclusive value="1"/></xs:restriction></xs:simpleType></xs:element><xs:element name="note" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
        <xs:attribute name="colour" type="d:Colour"/>
      </xs:complexType>
    </xs:schema>
    <xs:schema targetNamespace="urn:orders" elementFormDefault="qualified">
      <xs:import namespace="urn:orders:data"/>
      <xs:element name="PlaceOrder"><xs:complexType><xs:sequence>
        <xs:element name="buyer" type="d:Buyer"/>
        <xs:element name="shipTo" type="d:Party" minOccurs="0"/>
        <xs:element name="line" type="d:Line" maxOccurs="unbounded"/>
        <xs:element name="total" type="xs:decimal" minOccurs="0"/>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="PlaceOrderResponse"><xs:complexType><xs:sequence><xs:element name="id" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
      <xs:element name="Ping"><xs:complexType/></xs:element>
    </xs:schema>
  </wsdl:types>
  <wsdl:message name="PlaceOrderIn"><wsdl:part name="parameters" element="t:PlaceOrder"/></wsdl:message>
  <wsdl:message name="PlaceOrderOut"><wsdl:part name="parameters" element="t:PlaceOrderResponse"/></wsdl:message>
  <wsdl:message name="PingIn"><wsdl:part name="parameters" element="t:Ping"/></wsdl:message>
  <wsdl:portType name="Orders">
    <wsdl:operation name="PlaceOrder"><wsdl:documentation>Places an order.</wsdl:documentation><wsdl:input message="t:PlaceOrderIn"/><wsdl:output message="t:PlaceOrderOut"/></wsdl:operation>
    <wsdl:operation name="Ping"><wsdl:input message="t:PingIn"/></wsdl:operation>
  </wsdl:portType>`;

const binding = (version: 's' | 's12', name: string): string => `
  <wsdl:binding name="${name}" type="t:Orders">
    <${version}:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="PlaceOrder"><${version}:operation soapAction="urn:orders/PlaceOrder"/><wsdl:input><${version}:body use="literal"/></wsdl:input></wsdl:operation>
    <wsdl:operation name="Ping"><${version}:operation soapAction=""/><wsdl:input><${version}:body use="literal"/></wsdl:input></wsdl:operation>
  </wsdl:binding>`;

/** How a test wants the description. */
interface DescriptionShape {
  readonly soap?: '1.1' | '1.2';
  /** In place of types, messages and the port type. */
  readonly inside?: string;
  /** In place of the bindings. */
  readonly bindings?: string;
  readonly services?: string;
}

/** A description of WSDL 1.1 of a service that takes orders, at an address. */
export function soapDescription(address: string, { soap = '1.1', ...shape }: DescriptionShape = {}): string {
  const port = soap === '1.1' ? ['s', 'OrdersSoap'] : ['s12', 'OrdersSoap12'];
  return `<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:orders" xmlns:d="urn:orders:data" targetNamespace="urn:orders">${shape.inside ?? orders}${
    shape.bindings ?? `${binding('s', 'OrdersSoap')}${binding('s12', 'OrdersSoap12')}`
  }
  ${shape.services ?? `<wsdl:service name="OrderService"><wsdl:documentation>Takes orders.</wsdl:documentation><wsdl:port name="Orders" binding="t:${port[1]}"><${port[0]}:address location="${address}"/></wsdl:port></wsdl:service>`}
</wsdl:definitions>`;
}
