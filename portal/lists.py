"""Plain words, of which made-up names and secret words are put together.

Easy to read, to say and to type on any keyboard: small letters of the first 26 only, none that is a
person's name, none that tells what this is about, none that hurts. A test holds them to it, and to
how many there are.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGLISH = _words(
    """
acorn almond anchor apple apron arrow badge bagel bakery bamboo banana banjo barley barn basin
basket beach beacon beaker bean beetle bell bench berry bicycle biscuit blanket blossom board boat
bobbin bonnet book boots bottle bowl branch brass bread breeze brick bridge broom brush bubble
bucket button cabin cable cactus candle canoe canvas carpet carrot castle cedar celery cello chair
chalk cheese cherry chess chimney cinder circle citrus cloak clock cloth cloud clover coast cobalt
coconut coffee comet compass compote copper corner cotton crane crater crayon cream cricket crumb
cube cup curtain cushion dance daylight desk diamond dinner dolphin door dragon drawer drift drum
duckling dune eagle easel eggshell elbow elephant elm engine envelope evening fabric falcon
feather fence ferry fiddle field fig flag flagpole flannel flask flock floor flute foam fog forest
fork fountain frost fruit garden garlic gate gecko giraffe glacier glass globe glove goose grain
granite grape grass gravel griddle guitar gull hallway hammock hamper handle harbor harp harvest
hat hay hazelnut hedge heron hill hinge honey hood hoop horizon horse house igloo inch ink inkwell
iron island jacket jam jar jelly jigsaw journal jungle kayak kettle key kitchen kite kitten ladder
ladle lagoon lake lamp lantern lasso laundry lawn leaf lemon lentil letter lettuce library lichen
lilac lime linen lizard loaf lobster lotus lumber magnet mailbox mango mantle map marble market
meadow melon meteor milk mill minute mirror mitten moon moss moth motor mountain muffin mug museum
music mustard napkin nectar needle nest noodle notebook nutmeg oak oasis oat ocean octopus onion
orange orbit orchard otter oven owl oyster paddle page paint palm pancake panda paper paprika
parade parcel parrot parsley pasta path peach peanut pear pebble pelican pencil pepper piano
pickle picnic pigeon pillow pilot pine plain planet plank plate plaza plum pocket pond pony porch
potato prairie prism pudding puffin pulley pumpkin puzzle quail quarry quartz quilt rabbit radio
radish raft rain rainbow raincoat raisin rapids ribbon rice ridge ripple river rocket roof root
saddle saffron sail salad salmon sand sandbox saucer scarf school seal season seed shelf shell
shore silk silver skate sketch sled slope snail snow soap sock song soup spade spark sparrow
spinach spiral sponge spoon spring square squirrel stable stair stamp star station steam stone
straw stream sunset swallow swan sweater table tadpole tea teacup teapot temple tent thimble
thread ticket tide tiger tile timber toast tomato torch tower trail train tray tree trumpet
tugboat tulip tunnel turnip turtle twig umbrella valley vanilla vase velvet village vinegar
vineyard violin wagon walnut walrus water wave weather wheat wheel whistle windmill window winter
wool yarn yogurt zebra zipper
"""
)

SPANISH = _words(
    """
abanico abeja abeto abrigo aceite aceituna acero agua aguacate aguja ajedrez ajo alambre alce
alfombra algodon almeja almendra alondra altura amarillo ancla anillo antena apio arado arbusto
arcilla arco arena armario arpa arroyo arroz asiento atlas atun avellana avena avestruz avispa
azafran azucar azul bahia balcon balsa bambu banco bandera barca barco barro bata baul berro
bicicleta bisagra blanco bloque bola bolsa bombilla bosque bota botella boton brisa brocha bronce
brote brujula buey bufanda buque burbuja buzon caballo cabello cabra cacao cactus cafe caja cajon
calabaza calcetin caldo calle camello camino camisa campana campo canasta canela canoa cantera
canto capa caracol carbon carpa carpeta carreta carta cartera casa cascada cascara castor cebada
cebolla cebra cedro centeno cepillo cera cereza cerro cesta chaleco charco choza ciervo cigarra
cine cinta circo ciruela cisne clavel clavo cobre cocina coco cofre cohete col colina collar
columna cometa comida compota conejo copa coral corcho cordel corona corral corteza cosecha costa
cristal cuaderno cuadro cuarzo cubo cuchara cuenco cuento cueva cumbre cuneta dado danza dedal
delfin desfile desierto dibujo diente disco duna durazno eclipse edificio eje elefante encaje
enebro erizo escalera escoba esfera espejo espiga espuma establo estambre estanque estante este
faisan falda faro farol felpa ferry fideo fiesta fila filtro flauta flecha fogata fondo fresa
frijol frutero fuente funda galleta gallina gamuza ganso garaje garza gato gaviota gelatina
girasol globo golfo goma gorra gorrion gota granero granito granja grano grillo grulla guante
guinda guisante guitarra gusano haba hamaca harina haya helado helecho heno hielo hierba hierro
higo hilo hoja hombro hongo horizonte hormiga horno huerta iglu imagen invierno isla jabon jamon
jarra jarron jirafa joya juego jugo juguete junco jungla kilo kiosco labio lago laguna lampara
lana langosta lapiz larva lata leche lechuga lechuza lenteja letra libreta libro liebre lienzo
lima limon lince linterna lirio llama llave llavero lluvia lobo loma loro loto lunes maceta madera
maiz maleta malva mango manta mantel manzana mapa mapache marea mariposa marmol martes martillo
mazorca melon membrillo menta mercado mermelada mesa metal miel molino moneda montura mora morral
mosaico mueble museo musgo naipe naranja nardo nata naval nave nido niebla nieve nogal nopal noria
norte noviembre nube nudo nuez nutria oasis oca ocelote octubre oeste oficio olla onda orilla oro
oruga oso ostra oveja pajar pala palabra palma pan pantano papel paraguas pared parque pasillo
pasta pasto patata patio pato pavo pecera pelota peluca pepino pera percha pez piano piedra
pimienta pincel pino pintura pizarra planeta planta plata plato playa pluma polen polo pomelo
portal pozo pradera prado puente puerta pulpo puma punto queso quince rabano raiz rama ramo rana
rastrillo red regadera regla reloj remo resina rio risco roble roca rodilla ropa rosal rueda ruta
sal salmon salto sandalia sandia sauce sello selva semilla sendal sendero serie silbato silla
sobre sofa sombra sombrero sopa sorgo tabla tallo tambor tapa tapiz tarde tarta taza techo tejado
tejon tela telar tenedor terraza tibio tiesto tigre tijera timbre tinta tiza toalla tomate tomillo
topo torno toro torre tortuga tren trenza trigo trineo trompeta tronco trucha trueno tucan tulipan
tunel turron uva vagon vainilla valle vaso vela velero ventana verano vereda viento yate yema
yogur zanahoria zapato zorro
"""
)

OF: dict[str, tuple[str, ...]] = {"en": ENGLISH, "es": SPANISH}
